"""Exchange application access policies: `*-ApplicationAccessPolicy`."""

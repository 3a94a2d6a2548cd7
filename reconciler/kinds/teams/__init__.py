"""Teams application access policies: `*-CsApplicationAccessPolicy`."""

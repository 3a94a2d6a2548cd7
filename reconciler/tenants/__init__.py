"""Where observed state comes from and where steps go."""

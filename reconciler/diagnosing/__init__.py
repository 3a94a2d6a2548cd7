"""What a refusal that somebody received means, and what would end it."""

"""From a file to pictures as a player shows them."""

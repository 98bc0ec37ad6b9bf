"""From face clips to a trained candidate, with Lightning."""

"""The commands of `unmask`, by what they are for; heavy imports stay inside each, so that help is fast."""

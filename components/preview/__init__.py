"""Pictures of what training sees. Beside training, since a change of a picture trains nothing anew."""

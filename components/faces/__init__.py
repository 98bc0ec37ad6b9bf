"""From a video to a clip of face crops: the one implementation for training and for serving."""

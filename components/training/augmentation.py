"""What a training clip goes through: small changes that every frame of it shares.

A change that differed between frames would look like the flicker by which forgeries betray themselves.
"""

from torchvision.transforms import v2

from components.params import AugmentationParams


def augmentation(params: AugmentationParams, size: int) -> v2.Transform:
    """A transform of clips `(T, 3, S, S)`, uint8, which draws once a call.

    Args:
        params: strengths; see params.yaml.
        size: side of the crops, px.
    """
    return v2.Compose(
        [
            v2.RandomHorizontalFlip(params.flip),
            v2.ColorJitter(brightness=params.brightness, contrast=params.contrast),
            v2.RandomCrop(size, padding=round(params.shift * size), padding_mode="edge"),
        ]
    )

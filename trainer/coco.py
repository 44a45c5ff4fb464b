"""Where boxed pictures were found before they moved to `trainer.pictures`."""

from trainer.pictures import BoxedPicture

__all__ = ["BoxedPicture"]

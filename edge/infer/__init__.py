"""Inference: from a picture to boxes and a sentence, with numpy and a TFLite interpreter alone."""

"""The residual network, its named architectures, and the augmentation it is trained with."""

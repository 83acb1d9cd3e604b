"""The objectives, one file each; `mnist_cnn.py` is `mnist_cnn`. Those with `_` are their parts."""

"""Finds digits: frame -> pyramid -> network -> candidates -> boxes -> crops.

Here are the numbers that the network, its training and the program that runs it agree on. Each
level of the pyramid is a grey picture. The network divides it into cells and says of each cell
whether a digit's centre is in it and where that digit's box is.

Attributes:
    PACKED: neighbouring pixels of a row that enter as the channels of one position. A first
        convolution of one channel would take as long in 8 bits as all the others together:
        processors multiply at least four numbers at a time.
    STRIDE: the sides of a picture are multiples of it.
    CELL: side of a cell in pixels.
    BLOCK: the network answers for blocks of this many by this many cells.
    VALUES: numbers that it gives of a cell: the logit of a digit's centre; how far the centre of
        the box lies to the right of the cell's and below it, in cells; the natural logarithms of
        the box's width and height in cells.
    WINDOW: side of the square windows that it is trained on. Smaller pictures are padded to it.
"""

PACKED = 4
STRIDE = 32
CELL, BLOCK = 4, 2
VALUES = 5
WINDOW = 160

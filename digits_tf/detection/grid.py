"""What goes into the detector and what comes out: the numbers that its sides agree on."""

# Neighbouring pixels of a row that enter as the channels of one position. A first convolution of
# one channel would take as long in 8 bits as all the rest: processors multiply in fours and more.
PACKED = 4
# Sides of a picture have to be multiples of this.
STRIDE = 32
# The network answers for cells of so many pixels, in blocks of `BLOCK` by `BLOCK` cells.
CELL, BLOCK = 4, 2
# Of a cell: the logit of a digit's centre; how far the box's centre lies to the right of the cell's
# and below it, in cells; the logarithms of the box's width and height in cells.
VALUES = 5
# The least that the network sees, filled up with what is at the border: the side of the windows
# that it is trained on.
WINDOW = 160

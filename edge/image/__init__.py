"""`wordcam-edge image build`: an image of a card, of Debian's packages, pinned wheels and this very program."""

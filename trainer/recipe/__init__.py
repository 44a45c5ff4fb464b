"""The recipe of a model, its sweeps and the folder of its run."""

"""One file of cases for each stage of the pipeline."""

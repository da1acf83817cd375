"""Ways into a submission folder: a blank one to fill in, or files of other sources; validation checks every row."""

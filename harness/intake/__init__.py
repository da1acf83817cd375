"""Ways into a submission folder: a blank one to fill in, or foreign files taken in; validation judges every row."""

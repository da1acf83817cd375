"""Ways into a submission folder; validation reads what comes out, and nothing here judges it."""

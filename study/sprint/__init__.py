"""One prepared command for the few minutes in which a large GPU is lent: pack, run, unpack."""

"""What stands between the network and the page: who may come in, how often, and what is served to whom."""

"""The networks, one file each. Their options are in `eigenclock.training.network_options`."""

"""Is the advice true? Recipes trained on real data, against the order in which `choose` puts them (T24)."""

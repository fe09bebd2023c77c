"""A pure library: taxonomy, passages, encoder, model, training, evaluation, registry."""

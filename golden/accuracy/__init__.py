"""What quantisation costs a whole model: evaluation, curves, the ablation of the recipe."""

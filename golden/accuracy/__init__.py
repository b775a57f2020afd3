"""What quantisation costs a whole model: evaluation, sweeps, the ablation of the recipe."""

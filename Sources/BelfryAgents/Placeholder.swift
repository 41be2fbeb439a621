enum BelfryAgentsPlaceholder {}

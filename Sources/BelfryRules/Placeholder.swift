enum BelfryRulesPlaceholder {}

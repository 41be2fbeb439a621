enum BelfryEnginePlaceholder {}

enum BelfrySourcesPlaceholder {}

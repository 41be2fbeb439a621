enum BelfryCryptoPlaceholder {}

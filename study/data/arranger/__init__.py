"""The arranger's hands: plan, form, harmony, tune, accompaniment and drums of a piece."""

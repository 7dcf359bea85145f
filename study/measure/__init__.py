"""What is measured, on which clips and spans, against which floor and ceiling."""

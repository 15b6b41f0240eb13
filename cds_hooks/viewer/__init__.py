"""The evidence viewer: a SMART on FHIR app, opened from a card's link, that shows the notes and the words on the card."""

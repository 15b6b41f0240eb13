"""FHIR Subscription notifications: a chart is read ahead when its FHIR server tells that something happened in it."""

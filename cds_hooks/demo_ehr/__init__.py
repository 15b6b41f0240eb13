"""The demo EHR: a page that opens charts and shows dxspan's cards as an EHR would, on a developer's own machine."""

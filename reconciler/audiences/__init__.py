"""Sets of people, described by the groups they are in; knows no product. Pure."""

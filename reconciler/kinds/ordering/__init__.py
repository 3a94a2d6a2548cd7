"""The order of steps: exact search over small components, and what is missing or exposed on the
way. Pure, and knows no product.
"""

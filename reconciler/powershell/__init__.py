"""PowerShell as text: quoting, one template per cmdlet, a strict reader, and what the cmdlets bind.

Runs nothing.
"""

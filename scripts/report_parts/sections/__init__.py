"""The report's sections: each measures something and says it in Markdown."""

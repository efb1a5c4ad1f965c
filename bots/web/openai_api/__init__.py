"""The part of OpenAI's HTTP API that chat clients use: https://platform.openai.com/docs/api-reference/chat"""

(function process(request, response) {
    new ClaudeTerminalRest(request, response).reply(200, function (api) {
        return api.credentials();
    });
})(request, response);

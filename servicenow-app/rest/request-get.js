(function process(request, response) {
    new ClaudeTerminalRest(request, response).reply(200, function (api, call) {
        return api.request(call.path('id'));
    });
})(request, response);

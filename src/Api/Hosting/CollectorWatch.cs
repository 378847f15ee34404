namespace SparkGateway.Api.Hosting;

/// <summary>Whether the collector takes what it is sent, over all exporters: one log line when that changes.</summary>
internal sealed partial class CollectorState(string endpoint, ILogger logger)
{
    private int isDown;

    public void Answered(string? fault)
    {
        if (Interlocked.Exchange(ref isDown, fault is null ? 0 : 1) is var before && (fault is null) != (before == 1)) return;
        if (fault is null) Back(logger, endpoint);
        else Down(logger, endpoint, fault);
    }

    [LoggerMessage(10, LogLevel.Warning, "The collector {Endpoint} takes no telemetry ({Fault}); what does not fit into the queue is dropped, calls go on")]
    private static partial void Down(ILogger logger, string endpoint, string fault);

    [LoggerMessage(11, LogLevel.Information, "The collector {Endpoint} takes telemetry again")]
    private static partial void Back(ILogger logger, string endpoint);
}

/// <summary>Sees each answer of the collector: the exporters themselves say nothing to the log.</summary>
internal sealed class CollectorWatch(CollectorState state) : DelegatingHandler(new SocketsHttpHandler())
{
    private const string GrpcStatus = "grpc-status";

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return Note(base.Send(request, cancellationToken));
        }
        catch (Exception e) when (Fault(e) is { } fault)
        {
            state.Answered(fault);
            throw;
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return Note(await base.SendAsync(request, cancellationToken));
        }
        catch (Exception e) when (Fault(e) is { } fault)
        {
            state.Answered(fault);
            throw;
        }
    }

    private static string? Fault(Exception e) => e switch
    {
        HttpRequestException http => http.HttpRequestError.ToString(),
        OperationCanceledException => "no answer in time",
        _ => null,
    };

    private HttpResponseMessage Note(HttpResponseMessage response)
    {
        var refusal = response.Headers.TryGetValues(GrpcStatus, out var status) && status.First() != "0" ? $"gRPC status {status.First()}" : null;
        state.Answered(response.IsSuccessStatusCode ? refusal : $"HTTP status {(int)response.StatusCode}");
        return response;
    }
}

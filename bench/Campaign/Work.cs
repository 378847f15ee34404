namespace SparkGateway.Campaign;

/// <summary>One kind of load. Its unit is an RPC, a GB or a new connection.</summary>
/// <param name="Body">A file of the upstream's folder.</param>
/// <param name="Answer">Bytes of one response message.</param>
internal sealed record Work(string Id, string What, int Connections, int Streams, string Call, string Body, int Answer, int Requests, int QuickRequests)
{
    private const double BytesPerGB = 1e9;

    public static readonly IReadOnlyList<Work> All =
    [
        new("W1", "unary 100 B, 1 connection x 1 stream", 1, 1, "AnalyzePlan", "small", Upstream.SmallBytes, 8_000, 4_000),
        new("W2", "unary 100 B, 8 connections x 8 streams", 8, 8, "AnalyzePlan", "small", Upstream.SmallBytes, 48_000, 20_000),
        new("W3", "4 MiB messages down, 2 x 2", 2, 2, "ExecutePlan", "small", Upstream.LargeBytes, 200, 80),
        new("W4", "4 MiB messages up, 2 x 2", 2, 2, "AddArtifacts", "large", Upstream.SmallBytes, 200, 80),
        new("W6", "new connection and its first RPC, one after the other", 1, 1, "AnalyzePlan", "small", Upstream.SmallBytes, 1_000, 0),
    ];

    public bool IsConnecting => Id == "W6";

    public bool IsBulk => Id is "W3" or "W4";

    public string Unit => IsBulk ? "GB" : IsConnecting ? "connection" : "RPC";

    public int RequestsOf(bool quick) => quick ? QuickRequests : Requests;

    /// <summary>How many units so many requests are.</summary>
    public double Units(int requests) => IsBulk ? requests * (double)Upstream.LargeBytes / BytesPerGB : requests;

    /// <summary>Proxy CPU as tables show it: microseconds, for bulk milliseconds.</summary>
    public double Scale => IsBulk ? 1e3 : 1e6;

    public string ScaledUnit => $"{(IsBulk ? "ms" : "us")} / {Unit}";
}

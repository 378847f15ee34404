using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Features.RelayStream;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Infrastructure.Relay.Transport;
using SparkGateway.Infrastructure.Routing;

namespace SparkGateway.Relay.Tests.Calls;

/// <summary>A client connection without sockets: its effects are written down, its outputs taken by the test.</summary>
internal sealed class RelayBench : IRelayEffects
{
    public const string User = "ana";
    public const string ClientSession = "00112233-4455-4677-8899-aabbccddeeff";

    /// <summary>The header that names the user, where the peer is trusted with it.</summary>
    public const string Identity = "x-user";

    /// <summary>The rules under which each call needs that header.</summary>
    public static AccessRules Enforced { get; } = new(null, Identity);

    public RelayBench(RelayOptions? options = null, AccessRules? access = null, bool isTrusted = true, ICallTracer? tracer = null)
    {
        var limits = new RelayLimits(options ?? new RelayOptions());
        Total = new ParkedTotal(limits.ParkedTotal);
        var shared = new RelayShared(limits, new HeaderNames(new HeaderNameOptions(), Identity), Routes, Total, new Inflater()) { Access = access, Tracer = tracer };
        Client = new ClientConnection(shared, this, "127.0.0.1:9", 0, isTrusted);
    }

    public RouteTable Routes { get; } = new();

    public ParkedTotal Total { get; }

    public ClientConnection Client { get; }

    public List<DriverConnection> Connected { get; } = [];

    public List<(ParkedGroup Group, RouteRequest Request)> Admissions { get; } = [];

    public List<CallOutcome> Ended { get; } = [];

    public List<(GatewayError Error, int Count)> Denials { get; } = [];

    public List<LiveBinding> Freed { get; } = [];

    public List<(RelayedCall Call, string NewId)> Clones { get; } = [];

    public List<(CallSide Side, string Reason)> Misuse { get; } = [];

    public int Cancelled { get; private set; }

    public bool IsClosed { get; private set; }

    public LiveBinding Bind(string name = "app", string session = ClientSession, string? token = "secret")
    {
        var route = new Route(new Session
        {
            Id = Guid.NewGuid(),
            Name = new SessionName("ns", name),
            Incarnation = 1,
            Kind = SessionKind.Attached,
            Platform = "config",
            State = SessionState.Ready,
            Address = "127.0.0.1:15002",
        }, token);
        return Routes.Bind(new ClientSessionKey(User, session), Routes.Publish(route), BoundVia.Header);
    }

    public void Connect(DriverConnection driver) => Connected.Add(driver);

    public void CloseDriver(DriverConnection driver)
    {
    }

    public void CloseClient() => IsClosed = true;

    public void PeerMisbehaved(CallSide side, string reason) => Misuse.Add((side, reason));

    public void Admit(ParkedGroup group, RouteRequest request)
    {
        group.Deciding = new CancellationTokenSource();
        Admissions.Add((group, request));
    }

    public void CancelAdmission(ParkedGroup group) => Cancelled++;

    public void BindClone(RelayedCall call, LiveBinding parent, string newClientSessionId) => Clones.Add((call, newClientSessionId));

    public void Released(LiveBinding binding, string userAgent) => Freed.Add(binding);

    public void Denied(GatewayError error, int count, Caller caller) => Denials.Add((error, count));

    public void CallEnded(in CallOutcome outcome) => Ended.Add(outcome);
}

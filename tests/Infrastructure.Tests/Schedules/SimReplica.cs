using System.Diagnostics.CodeAnalysis;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features;
using SparkGateway.Features.EndSession;
using SparkGateway.Features.Ports;
using SparkGateway.Features.RelayStream;
using SparkGateway.Features.TendReplica;
using SparkGateway.Infrastructure.Routing;
using SparkGateway.Testing.Fakes;
using Admit = SparkGateway.Features.RelayStream.RelayStream;
using Expire = SparkGateway.Features.ExpireSessions.ExpireSessions;

namespace SparkGateway.Infrastructure.Tests.Schedules;

/// <summary>One gateway process: the real use cases and loops over the real store, with a platform of the simulation.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A process of the simulation is dropped as it stands, as a kill would.")]
internal sealed class SimReplica : IProcess
{
    private static readonly TimeSpan ExpireEvery = TimeSpan.FromSeconds(30);
    private readonly ServiceProvider provider;
    private readonly CollectedLogs logs = new();
    private readonly Simulation simulation;

    public SimReplica(Simulation simulation, string name)
    {
        this.simulation = simulation;
        Name = name;
        Self = new Replica(simulation.NewGuid(), "host", IsOnly: false);
        Time = new VirtualTime(simulation.Scheduler, this);
        Platform = new SimPlatform(simulation.Drivers, this, simulation);
        Store = new ScheduledStore(simulation.Join(Self), this, simulation);
        provider = new ServiceCollection()
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton<ISessionStore>(Store)
            .AddSingleton<ISessionCatalog>(Store)
            .AddSingleton<IOperatorStore>(Store)
            .AddSingleton<IReplicaBoard>(Store)
            .AddSingleton<IDriverLogs, FakeDriverLogs>()
            .AddSingleton<IDriverActivity, FakeDriverActivity>()
            .AddSingleton<IDriverPlatform>(Platform)
            .AddSingleton<IDriverTokens, FakeDriverTokens>()
            .AddSingleton(simulation.Settings with { Self = Self })
            .AddLogging(logging => logging.AddProvider(logs))
            .AddRouteTable()
            .AddFeatures()
            .BuildServiceProvider();
        Table = provider.GetRequiredService<IRouteTable>();
    }

    public string Name { get; }

    public Replica Self { get; }

    public VirtualTime Time { get; }

    public SimPlatform Platform { get; }

    public ScheduledStore Store { get; }

    public IRouteTable Table { get; }

    public bool IsDead { get; set; }

    public bool IsPaused { get; set; }

    public bool Runs => !IsDead && !IsPaused;

    /// <summary>Work that outlives its call.</summary>
    public int Tasks => provider.GetRequiredService<TrackedTasks>().Count;

    /// <summary>Error logs are bugs, in this simulation as anywhere.</summary>
    public string? Bug => logs.Errors.FirstOrDefault();

    /// <summary>Calls so far: each comes from an address of its own, or refusals would be counted together.</summary>
    private int calls;

    /// <summary>One connection for each user.</summary>
    public Dictionary<string, ConnectionContext> Connections { get; } = [];

    public void Start()
    {
        simulation.Watch(this, "heartbeat", provider.GetRequiredService<ReplicaHeartbeat>().RunAsync(CancellationToken.None));
        simulation.Watch(this, "follower", provider.GetRequiredService<SessionFollower>().RunAsync(CancellationToken.None));
        simulation.Watch(this, "activity", provider.GetRequiredService<ActivityReporter>().RunAsync(CancellationToken.None));
        simulation.Watch(this, "exits", provider.GetRequiredService<DriverExitWatcher>().RunAsync(CancellationToken.None));
        simulation.Watch(this, "expiry", ExpireAsync());
    }

    public Task<Result<T>> SendAsync<T>(IRequest<Result<T>> request) => provider.GetRequiredService<IMediator>().Send(request, CancellationToken.None);

    public Task<Result<Admission>> AdmitAsync(ClientSessionKey key, RouteHints headers, SparkRpc rpc)
    {
        if (!Connections.TryGetValue(key.UserId, out var connection)) Connections[key.UserId] = connection = new ConnectionContext();
        return SendAsync(new Admit.Request(
            new RouteRequest { Key = key, Rpc = rpc, Headers = headers, Caller = new Caller(key.UserId, $"{Name}-{++calls}:1", "test") }, connection));
    }

    private async Task ExpireAsync()
    {
        using var timer = new PeriodicTimer(ExpireEvery, Time);
        while (await timer.WaitForNextTickAsync(CancellationToken.None)) await SendAsync(new Expire.Request());
    }
}

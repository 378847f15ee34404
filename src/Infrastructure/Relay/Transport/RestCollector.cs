namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>
/// Gives memory back when the relay rests. Opening a session leaves garbage behind (store, routing) that the runtime keeps
/// until it needs the room; a gateway that holds idle sessions would be as large as after its busiest minute. One thread's.
/// </summary>
/// <param name="afterSeconds">Silence of all connections before it; 0: never.</param>
internal sealed class RestCollector(int afterSeconds)
{
    /// <summary>What is worth a collection of some tens of milliseconds at rest. Bytes.</summary>
    private const long WorthBytes = 8 * 1024 * 1024;

    private ulong activityBefore;
    private long allocatedBefore;
    private int silentSeconds;

    /// <summary>Each second.</summary>
    /// <param name="activity">A number that changes with every event of every connection.</param>
    public void Tick(ulong activity)
    {
        silentSeconds = activity == activityBefore ? silentSeconds + 1 : 0;
        activityBefore = activity;
        if (afterSeconds == 0 || silentSeconds < afterSeconds) return;
        var allocated = GC.GetTotalAllocatedBytes();
        if (allocated - allocatedBefore < WorthBytes) return;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        allocatedBefore = GC.GetTotalAllocatedBytes();
    }
}

using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms.Local;
using SparkGateway.Testing.Fakes;

namespace SparkGateway.Infrastructure.Tests.Platforms;

public sealed class DriverLogFilesTests : IDisposable
{
    private static readonly Session Session = new()
    {
        Id = Guid.NewGuid(),
        Name = new SessionName("ns", "spark-connect-data-abc"),
        Incarnation = 1,
        Kind = SessionKind.OnDemand,
        Platform = "local",
        State = SessionState.Ended,
    };

    private readonly FakeReplicaBoard board = new();
    private readonly Replica self = new(Guid.NewGuid(), "here", IsOnly: false);
    private readonly GatewayOptions options = new() { StateDir = Directory.CreateTempSubdirectory("spark-gateway-logs-").FullName };

    public void Dispose() => Directory.Delete(options.StateDir, recursive: true);

    [Fact]
    public async Task Tail_LongFile_IsItsLastLinesWithSecretsMasked()
    {
        await WriteAsync(Enumerable.Range(0, 100).Select(number => $"line {number}").Append("password=hunter2 ok"));

        var lines = (await Files().TailAsync(Session, 3, CancellationToken.None)).Value;

        Assert.Equal(["line 98", "line 99", "password=*** ok"], lines);
    }

    [Fact]
    public async Task Tail_FileLargerThanWhatIsRead_BeginsWithAWholeLine()
    {
        await WriteAsync(Enumerable.Range(0, 60_000).Select(number => $"line {number}"));

        var lines = (await Files().TailAsync(Session, 1_000_000, CancellationToken.None)).Value;

        Assert.InRange(lines.Count, 1_000, 59_999);
        Assert.All(lines, line => Assert.Matches("^line [0-9]+$", line));
        Assert.Equal("line 59999", lines[^1]);
    }

    [Fact]
    public async Task Tail_NoLogOrAttached_SaysWhereItIs()
    {
        var none = await Files().TailAsync(Session, 1, CancellationToken.None);
        var attached = await Files().TailAsync(Session with { Kind = SessionKind.Attached }, 1, CancellationToken.None);

        Assert.Equal((ErrorCode.NoSuchSession, ErrorCode.NoSuchSession), (none.Error!.Code, attached.Error!.Code));
        Assert.Contains("state_dir/logs", none.Error.Text, StringComparison.Ordinal);
        Assert.Contains("somebody else", attached.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tail_DriverOfAnotherReplicaOfThisHost_IsReadFromItsFolder()
    {
        var other = Directory.CreateTempSubdirectory("spark-gateway-logs-").FullName;
        var owned = Session with { OwnerReplica = Guid.NewGuid() };
        board.Places[owned.OwnerReplica.Value] = new ReplicaPlace(owned.OwnerReplica.Value, self.Host, other);
        await WriteAsync(["theirs"], other);

        var lines = (await Files().TailAsync(owned, 10, CancellationToken.None)).Value;

        Directory.Delete(other, recursive: true);
        Assert.Equal(["theirs"], lines);
    }

    [Fact]
    public async Task Tail_DriverOfAnotherHost_NamesWhomToAsk()
    {
        var owned = Session with { OwnerReplica = Guid.NewGuid() };
        board.Places[owned.OwnerReplica.Value] = new ReplicaPlace(owned.OwnerReplica.Value, "far-away", options.StateDir);

        var elsewhere = await Files().TailAsync(owned, 10, CancellationToken.None);

        Assert.Contains($"host far-away: ask the gateway there ({owned.OwnerReplica})", elsewhere.Error!.Text, StringComparison.Ordinal);
    }

    private DriverLogFiles Files() => new(options, board, self);

    private async Task WriteAsync(IEnumerable<string> lines, string? folder = null)
    {
        Directory.CreateDirectory(DriverLog.FolderIn(folder ?? options.StateDir));
        await File.WriteAllLinesAsync(DriverLog.PathIn(folder ?? options.StateDir, Session.Name), lines);
    }
}

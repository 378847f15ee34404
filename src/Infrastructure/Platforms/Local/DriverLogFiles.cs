using System.Text;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Platforms.Local;

/// <summary>
/// The log files of local drivers, read from their end. They outlive their drivers; the newest ones are kept. Those of other
/// replicas lie on the same machine, since local drivers serve no other.
/// </summary>
internal sealed class DriverLogFiles(GatewayOptions options, IReplicaBoard board, Replica self) : IDriverLogs
{
    /// <summary>What is read at most, however long its lines are.</summary>
    private const int MaxBytes = 256 * 1024;

    // The driver's own token was masked when the file was written.
    private readonly SecretMask mask = new(null);

    public async Task<Result<IReadOnlyList<string>>> TailAsync(Session session, int lines, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (session.Kind == SessionKind.Attached) return Missing(session, "is attached: its driver belongs to somebody else, who has its log.");
        var own = await ReadAsync(session, options.StateDir, lines, cancellation);
        if (own.Error is not { Code: ErrorCode.NoSuchSession } missing || session.OwnerReplica is not { } owner || owner == self.Id) return own;
        if (!(await board.FindReplicaAsync(owner, cancellation)).TryGet(out var place, out var unread)) return unread;
        if (place is null) return missing;
        if (place.Host != self.Host) return Missing(session, $"has its log on host {place.Host}: ask the gateway there ({place.Replica}).");
        return place.StateDir.Length == 0 ? missing : await ReadAsync(session, place.StateDir, lines, cancellation);
    }

    private async Task<Result<IReadOnlyList<string>>> ReadAsync(Session session, string stateDir, int lines, CancellationToken cancellation)
    {
        try
        {
            await using var file = new FileStream(DriverLog.PathIn(stateDir, session.Name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var isCut = file.Length > MaxBytes;
            if (isCut) file.Seek(-MaxBytes, SeekOrigin.End);
            using var reader = new StreamReader(file, Encoding.UTF8);
            if (isCut) await reader.ReadLineAsync(cancellation);
            var last = new Queue<string>();
            while (await reader.ReadLineAsync(cancellation) is { } line)
            {
                if (last.Count == lines) last.Dequeue();
                last.Enqueue(mask.HideAll(line));
            }

            return Result<IReadOnlyList<string>>.Ok([.. last]);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Missing(session, "has no log here: its driver has written nothing yet, or runs under another gateway, or its log was deleted (state_dir/logs keeps the newest).");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return GatewayError.Unavailable(Blame.Gateway, $"The log of session {session.Name} cannot be read ({e.GetType().Name}); the gateway's user must be able to read state_dir/logs of the gateway that ran its driver.");
        }
    }

    private static GatewayError Missing(Session session, string why) => new(ErrorCode.NoSuchSession, Blame.Client, $"Session {session.Name} {why}");
}

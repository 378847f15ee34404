using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json;
using k8s;
using k8s.KubeConfigModels;
using SparkGateway.Domain;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Connection;

/// <summary>
/// The command of a kubeconfig's user that prints a credential. KubernetesClient runs such commands too, but joins their arguments
/// with blanks, gives them our standard input, and runs none again after a refusal.
/// </summary>
internal sealed class CredentialCommand(ExternalExecution command, string folder, TimeSpan limit, TimeProvider time) : IKubeCredential, IDisposable
{
    private const int ShownCharacters = 200;

    /// <summary>Before its expiry a token is renewed, so that none expires on its way.</summary>
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim turn = new(1);
    private ExecCredentialResponse.ExecStatus? known;

    public void Dispose() => turn.Dispose();

    public async ValueTask<Result<AuthenticationHeaderValue?>> HeaderAsync(CancellationToken cancellation) =>
        (await GetAsync(cancellation)).TryGet(out var status, out var error)
            ? status.Token is { Length: > 0 } token ? new AuthenticationHeaderValue("Bearer", token) : Result<AuthenticationHeaderValue?>.Ok(null)
            : error;

    public void Drop() => Volatile.Write(ref known, null);

    /// <summary>A credential that has not expired.</summary>
    public async Task<Result<ExecCredentialResponse.ExecStatus>> GetAsync(CancellationToken cancellation)
    {
        await turn.WaitAsync(cancellation);
        try
        {
            if (Volatile.Read(ref known) is { } current && !IsStale(current)) return current;
            var made = await RunAsync(cancellation);
            if (made.IsOk) Volatile.Write(ref known, made.Value);
            return made;
        }
        finally
        {
            turn.Release();
        }
    }

    private bool IsStale(ExecCredentialResponse.ExecStatus status) =>
        status.ExpirationTimestamp is { } expiry && time.GetUtcNow() + Leeway > new DateTimeOffset(DateTime.SpecifyKind(expiry.ToUniversalTime(), DateTimeKind.Utc));

    private async Task<Result<ExecCredentialResponse.ExecStatus>> RunAsync(CancellationToken cancellation)
    {
        using var process = new Process { StartInfo = Describe() };
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            process.Start();
            process.StandardInput.Close();
            bound.CancelAfter(limit);
            var output = process.StandardOutput.ReadToEndAsync(bound.Token);
            var complaints = process.StandardError.ReadToEndAsync(bound.Token);
            await process.WaitForExitAsync(bound.Token);
            return process.ExitCode == 0 ? Parse(await output) : Refuse($"ended with exit code {process.ExitCode}: {Shown(await complaints)}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellation.ThrowIfCancellationRequested();
            return Refuse($"did not end within {limit.TotalSeconds:F0} s (kubernetes.credential_command_seconds)");
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException)
        {
            return Refuse($"cannot be run: {e.Message}{(string.IsNullOrEmpty(command.InstallHint) ? "" : $" ({Shown(command.InstallHint)})")}");
        }
    }

    private ProcessStartInfo Describe()
    {
        // As for kubectl: a path with a slash is relative to the kubeconfig, a bare name is found on PATH.
        var program = command.Command.Contains('/', StringComparison.Ordinal) ? Path.GetFullPath(command.Command, folder) : command.Command;
        var start = new ProcessStartInfo(program, command.Arguments ?? []) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var variable in command.EnvironmentVariables ?? [])
            if (variable.TryGetValue("name", out var name) && variable.TryGetValue("value", out var value)) start.Environment[name] = value;
        start.Environment["KUBERNETES_EXEC_INFO"] = JsonSerializer.Serialize(new { apiVersion = command.ApiVersion, kind = "ExecCredential", spec = new { interactive = false } });
        return start;
    }

    private Result<ExecCredentialResponse.ExecStatus> Parse(string output)
    {
        try
        {
            var response = KubernetesJson.Deserialize<ExecCredentialResponse>(output);
            if (response?.ApiVersion != command.ApiVersion) return Refuse($"printed apiVersion {Shown(response?.ApiVersion ?? "")}, but the kubeconfig expects {command.ApiVersion}");
            return response.Status?.IsValid() == true ? response.Status : Refuse("printed neither a token nor a client certificate with its key");
        }
        catch (JsonException)
        {
            // What it printed may be a secret: it is not shown.
            return Refuse("printed something that is no ExecCredential");
        }
    }

    private static string Shown(string text) => KubeErrors.Clean(text.Length <= ShownCharacters ? text : text[..ShownCharacters]);

    private GatewayError Refuse(string what) => GatewayError.Unavailable(Blame.Gateway, $"the credential command '{command.Command}' of the kubeconfig {what}.");
}

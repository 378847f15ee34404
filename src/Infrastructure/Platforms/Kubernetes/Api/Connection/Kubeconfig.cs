using k8s;
using k8s.Exceptions;
using k8s.KubeConfigModels;
using SparkGateway.Domain;
using YamlDotNet.Core;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api.Connection;

/// <summary>
/// Reads kubeconfig files. KubernetesClient parses them and resolves contexts, certificates and tokens; what it does not know is
/// read beside it: tokenFile, proxy-url, and lists of files with a context of our choice.
/// </summary>
internal sealed class Kubeconfig(KubeLimits limits, TimeProvider time, Microsoft.Extensions.Logging.ILogger logger)
{
    /// <param name="paths">The first that has a context, cluster or user of a name wins, as for kubectl; missing ones are passed over.</param>
    /// <param name="context">"" : the current one.</param>
    public async Task<Result<KubeAccess>> LoadAsync(IReadOnlyList<string> paths, string context, CancellationToken cancellation)
    {
        var there = paths.Where(File.Exists).ToList();
        if (there.Count == 0) return Refuse($"there is no kubeconfig file {string.Join(" or ", paths)}");
        var files = new List<KubeconfigFile>();
        foreach (var path in there)
        {
            if (!(await KubeconfigFile.ReadAsync(path)).TryGet(out var file, out var error)) return error;
            files.Add(file);
        }

        var name = context.Length > 0 ? context : files.Select(file => file.Main.CurrentContext).FirstOrDefault(current => !string.IsNullOrEmpty(current));
        if (name is null) return Refuse($"{files[0].Path} has no current-context; set kubernetes.context");
        var chosen = files.SelectMany(file => file.Main.Contexts).FirstOrDefault(known => known.Name == name);
        if (chosen?.ContextDetails is not { } details) return Refuse($"there is no context '{name}' in {string.Join(", ", there)}");
        return await ResolveAsync(files, chosen, details, cancellation);
    }

    private async Task<Result<KubeAccess>> ResolveAsync(List<KubeconfigFile> files, Context context, ContextDetails details, CancellationToken cancellation)
    {
        var clusterFile = files.FirstOrDefault(file => file.Cluster(details.Cluster) is not null);
        if (clusterFile?.Cluster(details.Cluster) is not { } cluster) return Refuse($"context '{context.Name}' names the cluster '{details.Cluster}', which is not there");
        var userFile = files.FirstOrDefault(file => file.User(details.User) is not null);
        var user = userFile?.User(details.User);
        if (user is null && !string.IsNullOrEmpty(details.User)) return Refuse($"context '{context.Name}' names the user '{details.User}', which is not there");

        clusterFile.MakeAbsolute(cluster.ClusterEndpoint);
        var watched = files.Select(file => file.Path).ToList();
        IKubeCredential credential = new FixedCredential(null);
        if (user?.UserCredentials is { } credentials)
        {
            userFile!.MakeAbsolute(credentials);
            var known = await CredentialOfAsync(userFile, user.Name, credentials, cancellation);
            if (!known.TryGet(out var found, out var error)) return error;
            credential = found;
            watched.AddRange(Present(credentials.ClientCertificate, credentials.ClientKey));
        }

        watched.AddRange(Present(cluster.ClusterEndpoint.CertificateAuthority));
        return Build(context, cluster, user, credential).TryGet(out var access, out var problem)
            ? access with { Proxy = clusterFile.ProxyOf(cluster.Name), Files = watched, Headers = ActAs(user?.UserCredentials) }
            : problem;
    }

    /// <summary>Puts what comes from a file or a command where KubernetesClient looks for it.</summary>
    private async Task<Result<IKubeCredential>> CredentialOfAsync(KubeconfigFile file, string name, UserCredentials credentials, CancellationToken cancellation)
    {
        if (file.TokenFileOf(name) is { } path)
        {
            var source = new TokenFile(path, limits.CredentialPoll, time, logger);
            if (!(await source.HeaderAsync(cancellation)).TryGet(out var header, out var error)) return error;
            credentials.Token = header?.Parameter;
            return source;
        }

        if (credentials.ExternalExecution is { } execution)
        {
            var command = new CredentialCommand(execution, file.Folder, TimeSpan.FromSeconds(limits.Options.CredentialCommandSeconds), time);
            if (!(await command.GetAsync(cancellation)).TryGet(out var status, out var error)) return error;
            credentials.ExternalExecution = null;
            credentials.Token = status.Token;
            credentials.ClientCertificateData = Encode(status.ClientCertificateData);
            credentials.ClientKeyData = Encode(status.ClientKeyData);
            return command;
        }

        if (!string.IsNullOrWhiteSpace(credentials.Token)) return FixedCredential.Bearer(credentials.Token);
        return string.IsNullOrWhiteSpace(credentials.UserName) ? new FixedCredential(null) : FixedCredential.Basic(credentials.UserName, credentials.Password);
    }

    private static Result<KubeAccess> Build(Context context, Cluster cluster, User? user, IKubeCredential credential)
    {
        try
        {
            var configuration = KubernetesClientConfiguration.BuildConfigFromConfigObject(new K8SConfiguration
            {
                CurrentContext = context.Name,
                Contexts = [context],
                Clusters = [cluster],
                Users = user is null ? [] : [user],
            });
            return new KubeAccess($"context '{context.Name}'", configuration, configuration.TokenProvider is { } provider ? new ProviderCredential(provider) : credential);
        }
        catch (KubeConfigException e)
        {
            return Refuse(e.Message);
        }
        catch (Exception e) when (e is FormatException or System.Security.Cryptography.CryptographicException or IOException or ArgumentException)
        {
            return Refuse($"a certificate or key of context '{context.Name}' cannot be read ({e.GetType().Name})");
        }
    }

    private static List<KeyValuePair<string, string>> ActAs(UserCredentials? user)
    {
        var headers = new List<KeyValuePair<string, string>>();
        if (string.IsNullOrEmpty(user?.Impersonate)) return headers;
        headers.Add(new("Impersonate-User", user.Impersonate));
        headers.AddRange((user.ImpersonateGroups ?? []).Select(group => KeyValuePair.Create("Impersonate-Group", group)));
        return headers;
    }

    private static IEnumerable<string> Present(params string?[] paths) => paths.OfType<string>().Where(path => path.Length > 0);

    private static string? Encode(string? pem) => pem is null ? null : Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(pem));

    private static GatewayError Refuse(string why) => GatewayError.Unavailable(Blame.Gateway, $"{why}.");
}

/// <summary>One kubeconfig file, read twice: as KubernetesClient knows it, and for what it does not know.</summary>
internal sealed class KubeconfigFile
{
    private readonly Extras extras;

    private KubeconfigFile(string path, K8SConfiguration main, Extras extras)
    {
        Path = path;
        Main = main;
        this.extras = extras;
    }

    public string Path { get; }

    public K8SConfiguration Main { get; }

    /// <summary>What the paths in it are relative to.</summary>
    public string Folder => System.IO.Path.GetDirectoryName(Path)!;

    public static async Task<Result<KubeconfigFile>> ReadAsync(string path)
    {
        try
        {
            var text = await File.ReadAllTextAsync(path);
            var main = KubernetesYaml.Deserialize<K8SConfiguration>(text);
            return main is null ? Refuse(path, "it is empty") : new KubeconfigFile(System.IO.Path.GetFullPath(path), main, KubernetesYaml.Deserialize<Extras>(text));
        }
        catch (YamlException e)
        {
            // The message may repeat a secret of the file.
            return Refuse(path, $"line {e.Start.Line} is not as in a kubeconfig");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Refuse(path, e.Message);
        }
    }

    public Cluster? Cluster(string? name) => Main.Clusters?.FirstOrDefault(cluster => cluster.Name == name && cluster.ClusterEndpoint is not null);

    public User? User(string? name) => Main.Users?.FirstOrDefault(user => user.Name == name);

    public string? TokenFileOf(string user) =>
        extras.Users?.FirstOrDefault(known => known.Name == user)?.User?.TokenFile is { Length: > 0 } path ? Absolute(path) : null;

    public Uri? ProxyOf(string cluster) =>
        Uri.TryCreate(extras.Clusters?.FirstOrDefault(known => known.Name == cluster)?.Cluster?.ProxyUrl, UriKind.Absolute, out var proxy) ? proxy : null;

    public void MakeAbsolute(ClusterEndpoint cluster)
    {
        if (!string.IsNullOrEmpty(cluster.CertificateAuthority)) cluster.CertificateAuthority = Absolute(cluster.CertificateAuthority);
    }

    public void MakeAbsolute(UserCredentials user)
    {
        if (!string.IsNullOrEmpty(user.ClientCertificate)) user.ClientCertificate = Absolute(user.ClientCertificate);
        if (!string.IsNullOrEmpty(user.ClientKey)) user.ClientKey = Absolute(user.ClientKey);
    }

    private string Absolute(string path) => System.IO.Path.GetFullPath(path, Folder);

    private static GatewayError Refuse(string path, string why) => GatewayError.Unavailable(Blame.Gateway, $"the kubeconfig '{path}' cannot be used: {why}.");

    internal sealed class Extras
    {
        public List<NamedCluster>? Clusters { get; set; }

        public List<NamedUser>? Users { get; set; }
    }

    internal sealed class NamedCluster
    {
        public string? Name { get; set; }

        public ClusterExtras? Cluster { get; set; }
    }

    internal sealed class ClusterExtras
    {
        [YamlDotNet.Serialization.YamlMember(Alias = "proxy-url")]
        public string? ProxyUrl { get; set; }
    }

    internal sealed class NamedUser
    {
        public string? Name { get; set; }

        public UserExtras? User { get; set; }
    }

    internal sealed class UserExtras
    {
        [YamlDotNet.Serialization.YamlMember(Alias = "tokenFile")]
        public string? TokenFile { get; set; }
    }
}

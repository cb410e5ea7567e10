// SPDX-License-Identifier: Apache-2.0
// Any number of requests, 2,000 at a time: Java's own HttpClient sends all
// before it reads.
//   java Stream.java https://localhost:8443 ca.pem client.pem client.key <in.ndjson >out.ndjson
// Exit status: 0 if all were signed, 1 if a line is a problem, 2 if it did not
// come to an end.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public class Stream {
    static final int RECORDS = 2000;

    public static void main(String[] args) {
        if (args.length != 4) {
            System.err.println("usage: Stream.java SERVER CA CERTIFICATE KEY");
            System.exit(2);
        }
        try {
            System.exit(run(args) ? 0 : 1);
        } catch (Exception e) { // such as a refusal by TLS
            System.err.println("Stream.java: " + e);
            System.exit(2);
        }
    }

    /** True if all were signed. */
    static boolean run(String[] args) throws Exception {
        var good = true;
        var client = HttpClient.newBuilder().sslContext(tls(args[1], args[2], args[3])).build();
        var uri = URI.create(args[0] + "/v1/certificates");
        var in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String body = next(in); !body.isEmpty(); body = next(in)) {
            var request = HttpRequest.newBuilder(uri)
                .header("Content-Type", "application/x-ndjson")
                .POST(HttpRequest.BodyPublishers.ofString(body)).build();
            var answer = client.send(request, BodyHandlers.ofByteArray());
            System.out.write(answer.body());
            System.out.flush();
            if (answer.statusCode() != 200) {
                System.err.println("HTTP status " + answer.statusCode());
                return false;
            }
            // In a text its quotes would be escaped: only problems have this.
            if (new String(answer.body(), StandardCharsets.ISO_8859_1).contains("\"status\":"))
                good = false;
        }
        return good;
    }

    /** The next lines of IN, at most RECORDS; empty at its end. */
    static String next(BufferedReader in) throws Exception {
        var body = new StringBuilder();
        String line;
        for (int i = 0; i < RECORDS && (line = in.readLine()) != null; i++)
            body.append(line).append('\n');
        return body.toString();
    }

    static Certificate certificate(String path) throws Exception {
        try (var file = Files.newInputStream(Path.of(path))) {
            return CertificateFactory.getInstance("X.509").generateCertificate(file);
        }
    }

    /** Trusts CA; shows CERTIFICATE, whose EC key is in KEY (PKCS #8). */
    static SSLContext tls(String ca, String certificate, String key) throws Exception {
        var der = Files.readString(Path.of(key)).replaceAll("-----[A-Z ]+-----|\\s", "");
        var secret = KeyFactory.getInstance("EC").generatePrivate(
            new PKCS8EncodedKeySpec(Base64.getDecoder().decode(der)));
        var store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("ca", certificate(ca));
        store.setKeyEntry("client", secret, new char[0],
            new Certificate[] {certificate(certificate)});
        var keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(store, new char[0]);
        var trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        var context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }
}
